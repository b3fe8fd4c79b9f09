/** Finds names in a document that are not in the schema, during typing. */

/** Return [{ start, end, message }] for tokens of `annotate`, without the unfinished word at the cursor. */
export function unknownNames(tokens, schema, caret) {
  if (!schema) return [];
  const seen = tokens.filter((token) => caret < token.start || caret > token.end);
  return seen.flatMap((token) => {
    const message = complaint(token, schema);
    return message ? [{ start: token.start, end: token.end, message }] : [];
  });
}

function complaint(token, schema) {
  if (token.role === "field" && token.parent && !token.def) {
    return `${token.parent.name} has no field “${token.text}”.${hint(token.text, schema.fieldsOf(token.parent))}`;
  }
  if (token.role === "argument" && token.defs && !token.def) {
    return `This field has no argument “${token.text}”.${hint(token.text, token.defs)}`;
  }
  if (token.role === "type" && !schema.type(token.text)) {
    return `The schema has no type “${token.text}”.${hint(token.text, schema.listed())}`;
  }
  return null;
}

function hint(word, candidates) {
  const near = candidates.map(({ name }) => ({ name, far: distance(word.toLowerCase(), name.toLowerCase()) }));
  const best = near.sort((one, other) => one.far - other.far)[0];
  return best && best.far <= Math.max(1, word.length / 3) ? ` Did you mean “${best.name}”?` : "";
}

/** Return the edit distance of two words. */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const swap = row[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[other.length];
}
