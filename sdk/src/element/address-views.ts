import type { Way } from './calls.ts';
import { customFieldsForm, readCustomFields } from './custom-fields.ts';
import { make } from './dom.ts';
import { buttonOf, choicesOf, fieldOf, formOf, leadOf, linkOf, passwordFieldOf, textOf } from './parts.ts';
import type { AddressScreen, Screen, Stage } from './screens.ts';
import { addressOf, logIn, recover, register, sendCode } from './steps.ts';
import { forgotWays, nearest, signInWith, signUpWays, waysOf } from './ways.ts';

function waysMenu({ words }: Stage, open: readonly Way[], way: Way, choose: (way: Way) => void): Node[] {
  if (open.length < 2) return [];
  const buttons = open.map((each) =>
    make(
      'button',
      { type: 'button', 'aria-pressed': String(each === way), onclick: () => choose(each) },
      words[each],
    ),
  );
  return [make('div', { class: 'ways', part: 'ways', role: 'group', 'aria-label': words.ways }, ...buttons)];
}

function addressField({ words, ways, draft }: Stage, way: Way): HTMLElement {
  const fields = {
    phone: [
      words.phoneLabel,
      { type: 'tel', autocomplete: 'tel', placeholder: `${ways.phone_prefixes[0] ?? '+'} …` },
      undefined,
    ],
    email: [words.emailLabel, { type: 'email', autocomplete: 'username' }, undefined],
    telegram: [words.telegramLabel, { inputmode: 'numeric', autocomplete: 'off' }, words.telegramHint],
    username: [words.usernameLabel, { autocomplete: 'username' }, undefined],
  } as const;
  const [label, more, hint] = fields[way];
  return fieldOf({ name: way, label, hint }, { value: draft.get(way)?.[0], ...more });
}

/** Links to other screens, where those have a way to offer. */
function linksTo(stage: Stage, links: readonly (readonly [string, Screen | undefined])[]): Node[] {
  const open = links.flatMap(([text, to]) => (to ? [linkOf(text, () => stage.show(to))] : []));
  return open.length > 0 ? [choicesOf(...open)] : [];
}

/** Who is it? */
export function addressView(
  stage: Stage,
  screen: Extract<AddressScreen, { at: 'address' }>,
  alert: HTMLElement,
): Node[] {
  const { words, ways } = stage;
  const { way, byPassword } = screen;
  const hasLink = way === 'telegram' && ways.by_telegram_link;
  const codeLead = ways.registration === 'closed' ? words.leadClosed : words.lead;
  const lead = hasLink ? words.linkLead : byPassword ? undefined : codeLead;
  const other = nearest(waysOf(ways, !byPassword), way);
  const forgot = byPassword ? nearest(forgotWays(ways), way) : undefined;
  const signUp = nearest(signUpWays(ways), way);
  return [
    leadOf(words.title.replace('{tenant}', ways.tenant.name), lead),
    alert,
    ...waysMenu(stage, waysOf(ways, byPassword), way, (to) =>
      stage.show({ at: 'address', way: to, byPassword }),
    ),
    hasLink ? buttonOf(words.begin, () => beginLink(stage)) : signInForm(stage, screen),
    ...linksTo(stage, [
      [words.forgot, forgot && { at: 'forgot', way: forgot }],
      [
        byPassword ? words.useCode : words.usePassword,
        other && { at: 'address', way: other, byPassword: !byPassword },
      ],
      [words.create, signUp && { at: 'sign-up', way: signUp }],
    ]),
  ];
}

function beginLink(stage: Stage): Promise<void> {
  return stage.go(async (calls) => ({ at: 'link', link: await calls.beginLink() }));
}

function signInForm(stage: Stage, screen: Extract<AddressScreen, { at: 'address' }>): HTMLElement {
  const { words } = stage;
  const { way, byPassword } = screen;
  const password = (): HTMLElement =>
    passwordFieldOf(words, { name: 'password', label: words.passwordLabel }, 'current-password');
  return formOf(
    { action: byPassword ? words.signIn : words.send, required: words.required },
    (form) =>
      stage.go((calls) => {
        const typed = textOf(form, way).trim();
        return byPassword
          ? logIn(calls, screen, typed, textOf(form, 'password'))
          : sendCode(stage, calls, screen, typed);
      }),
    addressField(stage, way),
    ...(byPassword ? [password()] : []),
  );
}

/** A field for a new password, with what is asked of it. */
export function newPasswordField(
  { words, ways, language }: Stage,
  label: string,
  optional?: string,
): HTMLElement {
  const count = new Intl.NumberFormat(language).format(ways.password_min_length ?? 0);
  const hint = ways.password_min_length ? words.passwordHint.replace('{count}', count) : undefined;
  return passwordFieldOf(words, { name: 'password', label, hint, optional }, 'new-password');
}

/** The address, the profile that the tenant asks for, and a password where it takes one. */
export function signUpView(
  stage: Stage,
  screen: Extract<AddressScreen, { at: 'sign-up' }>,
  alert: HTMLElement,
): Node[] {
  const { words, ways, draft } = stage;
  const { way } = screen;
  const required = ways.sign_up?.required_fields ?? [];
  const schema = ways.sign_up?.custom_fields ?? null;
  const optional = (name: string): string | undefined =>
    required.includes(name) ? undefined : words.optional;
  const line = (name: string, label: string, autocomplete: string): HTMLElement =>
    fieldOf(
      { name, label, optional: optional(name) },
      { value: draft.get(name)?.[0], autocomplete, dir: undefined, autocapitalize: 'words' },
    );
  const username = (): HTMLElement =>
    fieldOf(
      { name: 'username', label: words.usernameLabel, hint: words.badUsername },
      { value: draft.get('username')?.[0], autocomplete: 'nickname' },
    );
  const form = formOf(
    { action: words.send, required: words.required },
    (fields) =>
      stage.go((calls) => {
        const typed = textOf(fields, way).trim();
        const registration: Record<string, unknown> = { ...addressOf(way, typed) };
        for (const name of ['first_name', 'last_name', 'username']) {
          const text = textOf(fields, name).trim();
          if (text !== '') registration[name] = text;
        }
        // Nothing is trimmed off a password.
        const password = textOf(fields, 'password');
        if (password !== '') registration['password'] = password;
        const custom = readCustomFields(schema, fields);
        if (custom) registration['custom_fields'] = custom;
        return register(stage, calls, screen, typed, registration);
      }),
    addressField(stage, way),
    make(
      'div',
      { class: 'pair' },
      line('first_name', words.firstName, 'given-name'),
      line('last_name', words.lastName, 'family-name'),
    ),
    ...(required.includes('username') ? [username()] : []),
    ...customFieldsForm(stage, schema),
    ...(ways.by_password.length > 0
      ? [newPasswordField(stage, words.passwordLabel, optional('password'))]
      : []),
  );
  return [
    leadOf(words.signUpTitle, words.signUpLead),
    alert,
    ...waysMenu(stage, signUpWays(ways), way, (to) => stage.show({ at: 'sign-up', way: to })),
    form,
    ...linksTo(stage, [[words.haveAccount, signInWith(ways, way, false)]]),
  ];
}

/** Which account's password is forgotten? */
export function forgotView(
  stage: Stage,
  screen: Extract<AddressScreen, { at: 'forgot' }>,
  alert: HTMLElement,
): Node[] {
  const { words, ways } = stage;
  const { way } = screen;
  return [
    leadOf(words.forgot, words.forgotLead),
    alert,
    ...waysMenu(stage, forgotWays(ways), way, (to) => stage.show({ at: 'forgot', way: to })),
    formOf(
      { action: words.send, required: words.required },
      (form) => stage.go((calls) => recover(stage, calls, screen, textOf(form, way).trim())),
      addressField(stage, way),
    ),
    ...linksTo(stage, [[words.remembered, signInWith(ways, way, true)]]),
  ];
}
