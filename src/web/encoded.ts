import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { FastifyReply } from 'fastify';

type Encoding = 'br' | 'gzip' | 'identity';

/** A text in each encoding that somebody has asked for so far. */
export interface EncodedText {
  quality: number;
  bodies: { identity: Buffer } & Partial<Record<Encoding, Buffer>>;
}

/** @param quality of Brotli, up to 11, which takes a tenth of a second for each 50 KB */
export function encodedText(text: string, quality: number): EncodedText {
  return { quality, bodies: { identity: Buffer.from(text) } };
}

/** Sends it in the shortest encoding that the browser takes, compressed once. */
export function sendEncoded(
  reply: FastifyReply,
  { quality, bodies }: EncodedText,
  accepted: string | undefined,
): FastifyReply {
  const encoding = encodingOf(accepted);
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  bodies[encoding] ??=
    encoding === 'br'
      ? brotliCompressSync(bodies.identity, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } })
      : gzipSync(bodies.identity);
  return reply.header('vary', 'accept-encoding').send(bodies[encoding]);
}

/** The shortest encoding that the browser takes. */
export function encodingOf(accepted: string | undefined): Encoding {
  const names = (accepted ?? '').split(',').map((part) => part.trim());
  return names.includes('br') ? 'br' : names.includes('gzip') ? 'gzip' : 'identity';
}
