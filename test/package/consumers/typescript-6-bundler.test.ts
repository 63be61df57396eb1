import { consumers } from "./consumers.ts";

await consumers("6", "docs/node_modules/typescript", "bundler");
