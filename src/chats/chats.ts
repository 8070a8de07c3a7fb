export {
  blockChat as markBlocked,
  type ChatRow,
  readChat as findChat,
  readChatOfUser as findChatOfUser,
  toldFragment as toldByTelegram,
  upsertChat as rememberChat,
} from './store.ts';
export { leaseUpdate, settleUpdate, sweepUpdates } from './updates-store.ts';
export {
  challengeFragment as awaitCode,
  CURRENT_CHAT_INDEX,
  deleteChallenge as stopAwaitingCode,
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
