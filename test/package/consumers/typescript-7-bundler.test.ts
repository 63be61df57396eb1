import { consumers } from "./consumers.ts";

await consumers("7", "node_modules/typescript", "bundler");
