/** What is shorter is no secret, and would tear words apart. */
const MIN_SECRET = 4;

/** How many ways of writing a sign may stand one within another: `\u0026amp;` is a page's `&` in JSON. */
const NESTED = 2;

/** How JSON writes signs behind a backslash, PHP its `/`; all others by their numbers. */
const JSON_SIGNS: ReadonlyMap<string, string> = new Map([
  ...['"', "\\", "/"].map((sign) => [sign, sign] as const),
  ...([["b", "\b"], ["f", "\f"], ["n", "\n"], ["r", "\r"], ["t", "\t"]] as const),
]);

/** How pages write signs by names; all others by their numbers. */
const PAGE_SIGNS: ReadonlyMap<string, string> = new Map([["amp", "&"], ["lt", "<"], ["gt", ">"], ["quot", '"'], ["apos", "'"]]);

/** What stands between `&` and `;` at most, zeros before a number among it. */
const MAX_NAME = 12;

/** Where a sign begins that is written in another way, perhaps. */
const MARKS = "%+\\&";

/** What may be left of a sign where a text was cut. */
const CUT = /^[%\\&][%\\&#;0-9A-Za-z]{0,11}$/;

/**
 * The values of headers, of each what is behind the scheme of an `Authorization`, the user name and the password of a `Basic`
 * one, and the value of each cookie.
 */
export function ofHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const cookies = name.toLowerCase() === "cookie" ? value.split(";").flatMap((cookie) => valuesOf(cookie.trim())) : [];
    const space = value.indexOf(" ");
    if (space < 0) return [value, ...cookies];
    const credentials = value.slice(space + 1);
    return [value, ...cookies, credentials, ...(value.slice(0, space).toLowerCase() === "basic" ? ofBasic(credentials) : [])];
  });
}

/** The value of a pair, as it is and as whoever takes the pairs apart has it. */
function valuesOf(pair: string): string[] {
  const equals = pair.indexOf("=");
  if (equals < 0) return [];
  const value = pair.slice(equals + 1);
  return [value, value.replace(/^"+|"+$/g, ""), ...new URLSearchParams(`=${value}`).values()];
}

/** The user name and the password (RFC 7617). */
function ofBasic(credentials: string): string[] {
  try {
    const bytes = Uint8Array.from(atob(credentials.trim()), (byte) => byte.charCodeAt(0));
    const plain = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const colon = plain.indexOf(":");
    return colon < 0 ? [plain] : [plain, plain.slice(0, colon), plain.slice(colon + 1)];
  } catch {
    return [];
  }
}

/**
 * A text from outside without what is secret in what was sent, which some servers repeat: `sk-...` stands for the token, `...`
 * for each secret of the query and each of the others. By the rule of the library's `Secrets` each is found however it is
 * written, as in a URL, in JSON or in a page, also one of these within another.
 */
export function redacted(text: string, query: string, token = "", others: readonly string[] = []): string {
  const names = [...new URLSearchParams(query).keys()];
  // One that is both keeps the token's sign.
  const secrets = new Map([query, ...names, ...query.split("&").flatMap(valuesOf), ...others].map((secret) => [secret, "..."]));
  secrets.set(token, "sk-...");
  const found = [...secrets].flatMap(([secret, shown]) => find(secret, text).map(([at, end]) => ({ at, end, shown })));
  found.sort((one, other) => one.at - other.at || other.end - one.end);
  const out: string[] = [];
  let [done, longest] = [0, 0];
  for (const { at, end, shown } of found) {
    if (at >= done) {
      out.push(text.slice(done, at), shown);
      longest = end - at;
    } else if (end - at > longest) {
      // Nothing stays of one that lies across another.
      out[out.length - 1] = shown;
      longest = end - at;
    }
    done = Math.max(done, end);
  }
  return out.join("") + text.slice(done);
}

/** Where in a text a secret begins and ends, each time. */
function find(secret: string, text: string): [at: number, end: number][] {
  const found: [number, number][] = [];
  if (secret.length < MIN_SECRET) return found;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (sign !== secret.charAt(0) && !MARKS.includes(sign)) continue;
    const end = endOf(secret, text, at);
    if (end !== undefined) found.push([at, end]);
  }
  return found;
}

/** Where a secret ends that begins there; at the latest, if there are several places. */
function endOf(secret: string, text: string, begin: number): number | undefined {
  let ends = new Set([begin]);
  let place = 0;
  for (const sign of secret) {
    const after = new Set<number>();
    for (const at of ends) {
      for (let depth = MARKS.includes(text.charAt(at)) ? NESTED : 0; depth >= 0; depth -= 1) {
        const read = readSign(text, at, depth);
        if (read.sign === sign) after.add(read.end);
      }
    }
    if (after.size === 0) {
      // Long words are cut, and a secret with them.
      const isCut = [...ends].some((at) => at === text.length || CUT.test(text.slice(at, at + 20)));
      return place >= MIN_SECRET && isCut ? text.length : undefined;
    }
    ends = after;
    place += 1;
  }
  return Math.max(...ends);
}

/**
 * The sign that is written there, and where it ends, for who reads through so many ways of writing, one within another; what is
 * written in none is as it is. None at the end.
 */
function readSign(text: string, at: number, depth: number): { sign: string; end: number } {
  const code = text.codePointAt(at);
  const sign = code === undefined ? "" : String.fromCodePoint(code);
  if (depth === 0 || sign === "" || !MARKS.includes(sign)) return { sign, end: at + sign.length };
  const mark = readSign(text, at, depth - 1);
  let place = mark.end;
  const next = (): string => {
    const read = readSign(text, place, depth - 1);
    place = read.end;
    return read.sign;
  };
  const form = FORMS[mark.sign]?.(next);
  return form === undefined ? mark : { sign: form, end: place };
}

/** What follows each mark; nothing where that makes no sign. */
const FORMS: Readonly<Record<string, (next: () => string) => string | undefined>> = {
  "+": () => " ",
  "%": (next) => {
    let escaped = `%${next()}${next()}`;
    const first = Number.parseInt(escaped.slice(1), 16);
    const more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    for (let byte = 0; byte < more; byte += 1) escaped += `${next()}${next()}${next()}`;
    try {
      return decodeURIComponent(escaped);
    } catch {
      return undefined;
    }
  },
  "\\": (next) => {
    const letter = next();
    if (letter !== "u") return JSON_SIGNS.get(letter);
    const first = next() + next() + next() + next();
    const more = /^d[89ab]/i.test(first) ? next() + next() + next() + next() + next() + next() : "";
    const units = /^([0-9a-f]{4})(?:\\u([0-9a-f]{4}))?$/i.exec(first + more);
    return units?.slice(1).map((unit) => (unit === undefined ? "" : String.fromCharCode(Number.parseInt(unit, 16)))).join("");
  },
  "&": (next) => {
    let name = "";
    for (let sign = next(); sign !== ";"; sign = next()) {
      if (sign === "" || name.length === MAX_NAME) return undefined;
      name += sign.toLowerCase();
    }
    if (!name.startsWith("#")) return PAGE_SIGNS.get(name);
    const digits = /^#(?:x([0-9a-f]+)|([0-9]+))$/.exec(name);
    const code = digits?.[1] === undefined ? Number(digits?.[2]) : Number.parseInt(digits[1], 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
  },
};
