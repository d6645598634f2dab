// The types of rooms.mjs; S and C are the maps that `flask events types` writes.
import type { Socket } from "socket.io-client";

type EventMap<T> = { [K in keyof T]: (...args: never[]) => void };
type Message<F> = F extends (message: infer M, answer: never) => void ? Omit<M, "after"> : never;
type Acknowledged<F> = F extends (message: never, answer: (answer: infer A) => void) => void ? A : never;
type Accepted<F> = Extract<Acknowledged<F>, { ok: true }>;

export interface Followed<S, C, E extends keyof C> {
  /** The event that joins the room, and its message. */
  event: E;
  message?: Message<C[E]>;
  /** Called once for each event of the room, and in order. */
  on?: Partial<S>;
  /** Called after each join. */
  joined?: (answer: Accepted<C[E]>) => void;
  /**
   * Called when the state must be fetched: after the first join, and when missed events are lost; `early` is what
   * arrived before the answer, as [event, data].
   */
  resync?: (answer: Accepted<C[E]> | null, early: [string, unknown][]) => void;
}

export class Rooms<S extends EventMap<S>, C extends EventMap<C>> {
  constructor(socket: Socket<S, C>);
  follow<E extends keyof C & string>(name: string, followed: Followed<S, C, E>): void;
  forget(name: string): boolean;
}
