import type { GatewayVerdict } from './gateway-recipe-schema.ts';
import type { Template } from './gateway-template.ts';

/** Where something stands in an answer, ready to be looked for. */
export type Place = { pointer: string } | { pattern: RegExp };

/** A JSON body with templates where it has strings. */
export type JsonTemplate =
  | { template: Template }
  | { list: readonly JsonTemplate[] }
  | { fields: readonly (readonly [string, JsonTemplate])[] }
  | { value: unknown };

export interface GatewayRequest {
  method: 'GET' | 'POST' | 'PUT';
  url: Template;
  query: readonly (readonly [string, Template])[];
  headers: readonly (readonly [string, Template])[];
  body: { form: readonly (readonly [string, Template])[] } | { json: JsonTemplate } | undefined;
}

/** A gateway ready for use: its references resolved, its patterns compiled. Holds secrets; is never printed. */
export interface Gateway {
  name: string;
  channels: readonly string[];
  tenants: readonly string[] | undefined;
  limits: { concurrency?: number; perSecond?: number } | undefined;
  codesOnly: boolean;
  login: { request: GatewayRequest; token: Place; lifetimeSeconds: number } | undefined;
  send: GatewayRequest;
  success: {
    status: readonly number[] | undefined;
    when: Place | undefined;
    is: readonly string[] | undefined;
  };
  messageId: Place | 'ours' | undefined;
  errorCode: Place | undefined;
  errors: Readonly<Record<string, GatewayVerdict>>;
  callback: GatewayCallback | undefined;
}

export interface GatewayCallback {
  secret: { query: string | undefined; header: string | undefined; value: string } | undefined;
  signature:
    | {
        header: string;
        key: string;
        algorithm: 'sha256' | 'sha512' | 'sha1';
        encoding: 'hex' | 'base64';
        prefix: string;
        timestampHeader: string | undefined;
        separator: string;
      }
    | undefined;
  format: 'json' | 'form' | 'query';
  baseUrl: string | undefined;
  reports: string | undefined;
  messageId: string;
  state: string;
  states: Readonly<Record<string, 'sent' | 'delivered' | 'failed'>>;
  errorCode: string | undefined;
}
