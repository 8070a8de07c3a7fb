import { messageLocales, renderCodeMessage } from './code-message.ts';

/** Every message Firstproof sends, by what it is for. Those of the first line carry a code. */
export const templateNames = [
  ...(['sign_in_code', 'verify_sign_up', 'forgot_password', 'link_code', 'step_up_code'] as const),
  ...(['password_changed', 'new_device', 'address_changed', 'already_registered'] as const),
] as const;
export type TemplateName = (typeof templateNames)[number];

export { messageLocales };

/** What a rendering needs to know. Durations are whole seconds. */
export interface TemplateContent {
  template: TemplateName;
  channel: string;
  locale: string;
  tenantName: string;
  name: string | null;
  code: string | null;
  expiresIn: number;
}

export interface RenderedMessage {
  subject: string | null;
  text: string;
  html: string | null;
}

/** Renders a message for its channel: an SMS text, or an e-mail with subject, text and HTML. */
export function renderMessage(content: TemplateContent): RenderedMessage {
  return renderCodeMessage({ ...content, code: content.code ?? '' });
}
