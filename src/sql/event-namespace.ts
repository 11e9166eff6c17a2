import { closedStore } from './closable-port.js';
import { statement, type SqlPort } from './sql-port.js';

const readNamespace = statement('select event_namespace from __schema__.store');

/**
 * The namespace that sets the event ids of a store apart from those of other stores; see docs/decisions/0020. It never
 * changes, so it is read once.
 */
export class EventNamespace {
  readonly #shared: EventNamespace | undefined;
  #known: string | undefined;
  #reading: Promise<string> | undefined;
  #isClosed = false;

  /** @param shared the namespace of another port to the same store: once one has read it, both know it */
  constructor(shared?: EventNamespace) {
    this.#shared = shared;
  }

  /** Undefined until it was read. */
  get known(): string | undefined {
    return this.#known ?? this.#shared?.known;
  }

  /** Reads through the caller's port, so that a transaction never waits for a connection beside its own. */
  read(port: SqlPort): Promise<string> {
    this.#reading ??= this.#read(port).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /**
   * Gives an append the namespace: at once if it is known; else the append goes on after those that waited longer.
   *
   * @throws StoreClosedError
   */
  ofAppend(port: SqlPort): string | Promise<string> {
    if (this.#isClosed) throw closedStore();
    return this.known ?? this.read(port);
  }

  /** Takes no more appends. When it resolves, the appends that waited have begun. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reading?.catch(() => undefined);
  }

  async #read(port: SqlPort): Promise<string> {
    const [[namespace] = []] = await port.query(readNamespace, []);
    this.#keep(namespace as string);
    return namespace as string;
  }

  #keep(namespace: string): void {
    this.#known = namespace;
    if (this.#shared !== undefined) this.#shared.#keep(namespace);
  }
}
