import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Answer, TestApp } from '../create-test-app.ts';

/** The parts of a JSON schema that requests are generated from. */
export interface FieldSchema {
  type?: string;
  pattern?: string;
  maxLength?: number;
  enum?: unknown[];
  anyOf?: FieldSchema[];
  properties?: Record<string, FieldSchema>;
  required?: string[];
}

/** One operation of the served OpenAPI document. */
export interface Operation {
  method: string;
  path: string;
  parameters: { name: string; in: string }[];
  body: FieldSchema | undefined;
  /** What is wrong with an answer to it: an undeclared status, or a body that breaks its schema. */
  complaint(answer: Answer): string | undefined;
}

interface DocumentedOperation {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: FieldSchema }> };
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

/** Reads every operation from the document that the server itself serves. */
export async function readOperations(app: TestApp): Promise<Operation[]> {
  const { paths } = (await app.get('/openapi.json')).body as {
    paths: Record<string, Record<string, DocumentedOperation>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody, responses }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content['application/json']?.schema,
      complaint: complaintsBy(responses),
    })),
  );
}

function complaintsBy(responses: DocumentedOperation['responses']): Operation['complaint'] {
  const checks = new Map(
    Object.entries(responses).map(([status, { content }]) => {
      const schema = content?.['application/json']?.schema;
      return [Number(status), schema ? Compile(schema as TSchema) : undefined] as const;
    }),
  );
  return (answer) => {
    if (!checks.has(answer.status)) return `status ${answer.status} is not declared`;
    const check = checks.get(answer.status);
    if (!check) return answer.body === undefined ? undefined : 'a body where none is declared';
    if (check.Check(answer.body)) return undefined;
    const [first] = check.Errors(answer.body);
    return `the body breaks its schema at ${first?.instancePath || '/'}: ${first?.message}`;
  };
}
