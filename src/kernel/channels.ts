/** The ways a message may travel. A provider carries one or more of them. */
export const channels = ['sms', 'email', 'telegram', 'voice'] as const;
