const SECRET = String.raw`\w*(?:pass|pwd|secret|token|credential|api_?key)\w*`;
const VALUE = String.raw`(?:"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*(?:"|(?=\n)|$)|\[[^\]]*(?:\]|$)|-?\d[\w.]*)`;

/** A secret argument with its value, and a secret variable with its default. */
const ARGUMENT = new RegExp(String.raw`("?${SECRET}"?\s*:\s*)${VALUE}`, 'gi');
const DEFAULT = new RegExp(String.raw`(\$${SECRET}\s*:\s*[\w!\[\]]+\s*=\s*)${VALUE}`, 'gi');

/** Return a document without passwords and tokens that were written into it, also in comments. */
export function redact(text: string): string {
  return text.replaceAll(ARGUMENT, '$1""').replaceAll(DEFAULT, '$1""');
}
