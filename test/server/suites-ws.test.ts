// The behaviour suites on the embedded server, over ws.
import { suitesOn } from "./cells.ts";

suitesOn("ws");
