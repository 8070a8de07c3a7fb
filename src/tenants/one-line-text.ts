import { textOf } from '../web/schema-issues.ts';

export const NOT_ONE_LINE = 'must be one line without control characters';

/** A text that stands in a header of messages, such as From and Subject: a line break would begin a header of its own. */
export const oneLineText = textOf('^[^\\u0000-\\u001f\\u007f\\u2028\\u2029]*$', NOT_ONE_LINE);
