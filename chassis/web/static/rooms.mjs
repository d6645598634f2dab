// rooms.js as a module, for bundlers: import { Rooms } from "./rooms.mjs".
import "./rooms.js";

export const Rooms = globalThis.Rooms;
