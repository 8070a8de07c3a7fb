/** Reads a bot's token as BotFather gives it; undefined when it is none. */
export function parseBotToken(text: string): string | undefined {
  return /^[1-9]\d{0,15}:[\w-]{20,64}$/.test(text) ? text : undefined;
}

/** Reads where the Bot API is: an address without query, user or slash at its end; undefined when it is none. */
export function parseApiRoot(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) return undefined;
  if (url.username !== '' || url.search !== '' || url.hash !== '') return undefined;
  return url.href.replace(/\/+$/, '');
}
