export { type ApiAnswer, type BotApi, createBotApi } from './bot-api.ts';
export {
  createTelegramLogin,
  type LoginProof,
  type TelegramLogin,
  type TelegramLoginClient,
} from './login.ts';
export type { Pace } from './pacer.ts';
export { createSimulatedApi, SIMULATED_USERNAME } from './simulated-api.ts';
export {
  SIGNED_DATA_LIFE_SECONDS,
  type SignedData,
  verifyInitData,
  verifyWidgetData,
} from './signed-data.ts';
export { botIdOf } from './token.ts';
