// The types of browsers.mjs.
export type BrowserName = "chromium" | "firefox" | "webkit";

export const browsers: readonly BrowserName[];
export function findBrowser(name: BrowserName): [program: string, ...rest: string[]];
export function provideBrowsers(): Promise<string>;
