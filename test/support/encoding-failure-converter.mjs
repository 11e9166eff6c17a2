import { DefaultFailureConverter } from '@temporalio/common';

/** As users configure it who encrypt: messages and stack traces travel as payloads too. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
