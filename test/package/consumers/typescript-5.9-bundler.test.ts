import { consumers } from "./consumers.ts";

await consumers("5.9", "test/consumers/typescript-5.9/node_modules/typescript", "bundler");
