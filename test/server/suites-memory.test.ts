// The behaviour suites on the embedded server, in process.
import { suitesOn } from "./cells.ts";

suitesOn("memory");
