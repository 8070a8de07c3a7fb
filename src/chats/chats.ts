export {
  blockChat as markBlocked,
  type ChatRow,
  leaseUpdate,
  readChat as findChat,
  readChatOfUser as findChatOfUser,
  settleUpdate,
  sweepUpdates,
  toldFragment as toldByTelegram,
  upsertChat as rememberChat,
} from './store.ts';
