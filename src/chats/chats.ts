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
export {
  challengeFragment as awaitCode,
  CURRENT_CHAT_INDEX,
  type CurrentChat,
  isChatOf,
  linkFragment as linkChat,
  readChallenge as findChallenge,
  readCurrentChat as findCurrentChat,
  readLastMove as findLastMove,
  readUndoable as findUndoable,
  undoMoves,
} from './links-store.ts';
export { eraseChats, readChatsOf } from './person-store.ts';
