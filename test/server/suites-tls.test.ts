// The behaviour suites on the embedded server, over tls.
import { suitesOn } from "./cells.ts";

suitesOn("tls");
