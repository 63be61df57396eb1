// The behaviour suites on the embedded server, over tcp.
import { suitesOn } from "./cells.ts";

suitesOn("tcp");
