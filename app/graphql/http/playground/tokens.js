/** Splits GraphQL and JSON into tokens: { kind, text, start, end }. Unknown text has the kind "invalid". */

const GRAPHQL = new RegExp(
  [
    String.raw`(?<space>[\s,\uFEFF]+)`,
    String.raw`(?<comment>#[^\n\r]*)`,
    String.raw`(?<block>"""(?:\\"""|[^])*?(?:"""|$))`,
    String.raw`(?<string>"(?:\\.|[^"\\\n\r])*"?)`,
    String.raw`(?<variable>\$(?:[_A-Za-z]\w*)?)`,
    String.raw`(?<directive>@(?:[_A-Za-z]\w*)?)`,
    String.raw`(?<name>[_A-Za-z]\w*)`,
    String.raw`(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)`,
    String.raw`(?<punct>\.\.\.|[!():=[\]{|}&])`,
    String.raw`(?<invalid>[^])`,
  ].join("|"),
  "g",
);

const JSON_TOKENS = new RegExp(
  [
    String.raw`(?<space>\s+)`,
    String.raw`(?<string>"(?:\\.|[^"\\\n\r])*"?)`,
    String.raw`(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)`,
    String.raw`(?<literal>true|false|null)`,
    String.raw`(?<punct>[{}[\]:,])`,
    String.raw`(?<invalid>[^])`,
  ].join("|"),
  "g",
);

function cut(text, pattern) {
  const tokens = [];
  for (const match of text.matchAll(pattern)) {
    const kind = Object.keys(match.groups).find((group) => match.groups[group] !== undefined);
    if (kind !== "space") tokens.push({ kind, text: match[0], start: match.index, end: match.index + match[0].length });
  }
  return tokens;
}

export const tokenize = (text) => cut(text, GRAPHQL);

/** Return JSON tokens with a `role`: a string before a colon is a key. */
export function tokenizeJson(text) {
  const tokens = cut(text, JSON_TOKENS);
  tokens.forEach((token, index) => {
    token.role = token.kind === "string" && tokens[index + 1]?.text === ":" ? "key" : token.kind;
  });
  return tokens;
}
