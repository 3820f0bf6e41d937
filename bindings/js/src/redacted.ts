/** What is shorter is no secret, and would tear words apart. */
const MIN_SECRET = 4;

/** How signs are written in pages, by most and by Go, and in JSON, by Go and by others. */
const ESCAPES: readonly Readonly<Record<string, string>>[] = [
  { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" },
  { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" },
  { "\\": "\\\\", '"': '\\"', "&": "\\u0026", "<": "\\u003c", ">": "\\u003e" },
  { "\\": "\\\\", '"': '\\"' },
];

/** The values of headers, and of each what is behind the scheme of an `Authorization`. */
export function ofHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.values(headers).flatMap((value) => [value, value.includes(" ") ? value.slice(value.indexOf(" ") + 1) : ""]);
}

/**
 * A text from outside without what is secret in what was sent, which some servers repeat: `sk-...` stands for the token, `...`
 * for each secret of the query and each of the others.
 */
export function redacted(text: string, query: string, token = "", others: readonly string[] = []): string {
  const raw = query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
  const decoded = [...new URLSearchParams(query)].flat();
  const secrets = [query, ...raw, ...decoded, ...others].filter((secret) => secret.length >= MIN_SECRET);
  const escaped = ESCAPES.flatMap((signs) =>
    secrets.map((secret) => secret.replace(/[&<>"'\\]/g, (sign) => signs[sign] ?? sign)),
  );
  // What is a part of another one last.
  const longestFirst = [...secrets, ...escaped].sort((one, other) => other.length - one.length);
  const shown = longestFirst.reduce((so, secret) => so.replaceAll(secret, "..."), text);
  const whole = token.length < MIN_SECRET ? shown : shown.replaceAll(token, "sk-...");
  // Long words are cut, and a secret with them.
  for (const secret of [token, ...longestFirst]) {
    for (let length = secret.length - 1; length >= MIN_SECRET; length -= 1) {
      if (whole.endsWith(secret.slice(0, length))) return `${whole.slice(0, -length)}...`;
    }
  }
  return whole;
}
