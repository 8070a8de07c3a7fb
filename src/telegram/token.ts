/** A bot's token as BotFather gives it: the bot's id, a colon, and the secret. */
const BOT_TOKEN_PATTERN = /^([1-9]\d{0,15}):[\w-]{20,64}$/;

/** The token stands in the address of every call, so every text that may quote one goes through here. */
export function redactBotToken(text: string): string {
  return text.replace(/bot\d+:[\w-]+/g, 'bot[redacted]').replace(/\b\d{5,16}:[\w-]{20,}/g, '[redacted]');
}

/** The id of a token's bot; undefined when it is no token. */
export function botIdOf(token: string): string | undefined {
  return BOT_TOKEN_PATTERN.exec(token)?.[1];
}
