// Version of the package; written from package.json by the build.
export const version = "0.1.0";
