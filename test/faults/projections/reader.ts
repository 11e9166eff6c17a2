import { Client } from 'pg';
import { ledger } from './ledger.js';
import { Loop } from './loop.js';

/** Looks at the read model all the time, as an application does. */
export class Reader {
  readonly loop: Loop;
  /** What no reader may see. */
  readonly offences: string[] = [];
  looks = 0;
  readonly #url: string;
  #client: Client | undefined;
  readonly #seen = new Map<string, number>();

  constructor(url: string) {
    this.#url = url;
    this.loop = new Loop(() => this.#look());
  }

  /** An operator has brought an earlier read model back. */
  forget(): void {
    this.#seen.clear();
  }

  async end(): Promise<void> {
    await this.loop.end();
    await this.#client?.end();
  }

  async #look(): Promise<void> {
    try {
      this.#client ??= await this.#connect();
      await this.#read(this.#client, 'events applied', `select count(*) as number from ${ledger}.applied`);
      await this.#read(
        this.#client,
        'events counted',
        `select sum(events) as number from ${ledger}.balances`,
      );
      this.looks++;
    } catch (error) {
      if (isRefusal(error)) {
        this.offences.push(String(error));
        return;
      }
      // The server is down.
      void this.#client?.end().catch(() => undefined);
      this.#client = undefined;
    }
  }

  /** By a prepared statement, which must follow when schemas change their names. */
  async #read(client: Client, name: string, text: string): Promise<void> {
    const { rows } = await client.query<{ number: string | null }>({ name, text });
    const number = Number(rows[0]?.number);
    const before = this.#seen.get(name) ?? 0;
    if (number < before) this.offences.push(`${name}: ${number} after ${before}`);
    this.#seen.set(name, number);
  }

  async #connect(): Promise<Client> {
    const client = new Client({ connectionString: this.#url, application_name: 'audit' });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}

/** Whatever the database says, but that it is down: that a schema isn't there, for example. */
function isRefusal(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^(?!08|57)[0-9X]/.test(code);
}
