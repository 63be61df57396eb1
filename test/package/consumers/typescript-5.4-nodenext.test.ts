import { consumers } from "./consumers.ts";

await consumers("5.4", "test/consumers/typescript-5.4/node_modules/typescript", "nodenext");
