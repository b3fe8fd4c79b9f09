const MARK = '\uFEFF';
const LINE_END = '\r\n';
/** The beginning of a text that spreadsheets may take for a formula, with the apostrophes of earlier protection. */
const FORMULA = /^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
/** Also a semicolon or a tab, which separate cells in some countries. */
const NEEDS_QUOTES = /[",;\t\r\n]|^ | $/;

/** Return one cell. What a spreadsheet would read as a formula becomes text. */
function encodeCell(value: string): string {
  const text = FORMULA.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Return a CSV text: UTF-8 with its mark, CRLF. */
export function toCsv(lines: readonly (readonly string[])[]): string {
  return MARK + lines.map((line) => line.map(encodeCell).join(',') + LINE_END).join('');
}

/** Offer a text as a file. */
export function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
