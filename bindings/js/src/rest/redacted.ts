/** What is shorter is no secret, and would tear words apart. */
const MIN_SECRET = 4;

/** How signs are written in pages, and in JSON as Go writes it. */
const ESCAPES = [
  { "&": "&amp;", "<": "&lt;", ">": "&gt;" },
  { "&": "\\u0026", "<": "\\u003c", ">": "\\u003e" },
] as const;

/** A text from outside without the key, and without what is secret in the query of a URL: some servers repeat them. */
export function redacted(text: string, query: string, token = ""): string {
  const raw = query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
  const decoded = [...new URLSearchParams(query)].flat();
  const secrets = [query, ...raw, ...decoded].filter((secret) => secret.length >= MIN_SECRET);
  const escaped = ESCAPES.flatMap((signs) =>
    secrets.map((secret) => secret.replace(/[&<>]/g, (sign) => signs[sign as keyof typeof signs])),
  );
  // What is a part of another one last.
  const longestFirst = [...secrets, ...escaped].sort((one, other) => other.length - one.length);
  const keyless = token.length < MIN_SECRET ? text : text.replaceAll(token, "sk-...");
  const whole = longestFirst.reduce((so, secret) => so.replaceAll(secret, "..."), keyless);
  // Long words are cut, and a secret with them.
  for (const secret of [token, ...longestFirst]) {
    for (let length = secret.length - 1; length >= MIN_SECRET; length -= 1) {
      if (whole.endsWith(secret.slice(0, length))) return `${whole.slice(0, -length)}...`;
    }
  }
  return whole;
}
