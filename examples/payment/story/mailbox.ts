import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  readonly to: readonly string[];
  readonly messageId: string;
  readonly subject: string;
  /** The message as it came, with its headers. */
  readonly raw: string;
}

export interface Mailbox {
  /** For `emailNotifier`. */
  readonly url: string;
  /** All that was accepted, in the order in which it came. */
  readonly mails: readonly ReceivedMail[];
  close(): Promise<void>;
}

/**
 * A mail server that keeps what it gets.
 *
 * @param inspect called before a mail is accepted; what it throws is the answer, with its `responseCode`
 */
export async function startMailbox(
  inspect: (mail: ReceivedMail) => void | Promise<void> = () => undefined,
): Promise<Mailbox> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, session, answer) {
      const receive = async (): Promise<void> => {
        const raw = await text(stream);
        // A long header goes on in the next line.
        const unfolded = raw.replace(/\r\n[ \t]+/g, ' ');
        const header = (name: string): string =>
          new RegExp(`^${name}: (.*)$`, 'im').exec(unfolded)?.[1]?.trim() ?? '';
        const to = session.envelope.rcptTo.map(({ address }) => address);
        const mail = { to, messageId: header('Message-ID'), subject: header('Subject'), raw };
        await inspect(mail);
        mails.push(mail);
      };
      receive().then(() => {
        answer();
      }, answer);
    },
  });
  // A client that is killed in the middle.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
      }),
  };
}
