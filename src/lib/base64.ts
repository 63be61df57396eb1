// Base64: bytes to text and back, in the standard and the URL alphabet, on nothing but btoa and atob.

function binary(bytes: Uint8Array): string {
  let text = "";
  // in pieces: the arguments of a call are limited
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return text;
}

/** RFC 4648 section 4: standard alphabet, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(binary(bytes));
}

/** RFC 4648 section 5: URL alphabet, padded. */
export function encodeBase64UrlPadded(bytes: Uint8Array): string {
  return encodeBase64(bytes).replace(/[+/]/g, (c) => (c === "+" ? "-" : "_"));
}

/** RFC 4648 section 5: URL alphabet, without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64UrlPadded(bytes).replace(/=+$/, "");
}

/** Either alphabet, padded or not; undefined when the text is not base64 (white space is not). */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bare = text.replace(/={1,2}$/, "");
  // padding, where there is any, must be right; one character left over holds no byte
  if (!/^[\w+/-]*$/.test(bare) || bare.length % 4 === 1) return undefined;
  if (bare !== text && text.length % 4 !== 0) return undefined;
  const raw = atob(bare.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}
