import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { brandStyle } from './brand.ts';
import { type EncodedText, encodedText, sendEncoded } from '../web/encoded.ts';

interface Asset {
  type: string;
  text: EncodedText;
}

const read = (name: string): string => readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');
const TYPES = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;
/** Comments and the space between rules are for those who read the file. */
const tightened = (css: string): string =>
  css
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?/g, '$1');

const tightenedScript = (script: string): string =>
  script.replace(/^\s*\/\/.*\n/gm, '').replace(/^\s+/gm, '');
const FOREVER = 'public, max-age=31536000, immutable';
const known = new Map<string, Asset>();

function publish(name: string, ending: keyof typeof TYPES, text: string): string {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 12);
  const path = `/pages/${name}-${hash}.${ending}`;
  if (!known.has(path)) {
    known.set(path, { type: TYPES[ending], text: encodedText(text, 11) });
  }
  return path;
}

/** What one page needs beside the common style. @param name a file of `assets/` without its ending */
export function publishStyle(name: string): string {
  return publish(name, 'css', tightened(read(`${name}.css`)));
}

export function publishScript(name: string): string {
  return publish(name, 'js', tightenedScript(read(`${name}.js`)));
}

/** Where the style sheet is; its name changes with its content, so it is kept for ever. */
export const stylePath = publish('pages', 'css', tightened(read('tokens.css') + read('pages.css')));
export const scriptPath = publishScript('pages');

export const iconPath = publish('icon', 'svg', read('icon.svg').trim());

/** The few lines that put a tenant's colour in place of ours. @param colour #rrggbb */
export function brandStylePath(colour: string): string {
  return `/pages/brand-${colour.slice(1).toLowerCase()}.css`;
}

/** Serves style and script, compressed once and kept by browsers for ever. */
export function assetRoutes(server: FastifyInstance): void {
  const hide = { schema: { hide: true } };
  server.get<{ Params: { file: string } }>('/pages/:file', hide, (request, reply) => {
    const { file } = request.params;
    const asset = known.get(`/pages/${file}`);
    if (asset) return sendAsset(reply, asset, request.headers['accept-encoding']);
    const colour = /^brand-([0-9a-f]{6})\.css$/.exec(file)?.[1];
    if (colour === undefined) return reply.callNotFound();
    // A pure function of its name: nothing to look up, nothing to keep.
    return reply
      .type('text/css; charset=utf-8')
      .header('cache-control', FOREVER)
      .send(brandStyle(`#${colour}`));
  });
}

function sendAsset(reply: FastifyReply, asset: Asset, accepted: string | undefined): FastifyReply {
  reply.type(asset.type).header('cache-control', FOREVER);
  return sendEncoded(reply, asset.text, accepted);
}
