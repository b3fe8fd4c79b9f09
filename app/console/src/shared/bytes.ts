const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const STEP = 1024;

const count = new Intl.NumberFormat('en');
const rounded = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** Return a size in binary units, such as "10 GiB". */
export function shortBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= STEP && unit < UNITS.length - 1) {
    value /= STEP;
    unit += 1;
  }
  return unit === 0 ? exactBytes(bytes) : `${rounded.format(value)} ${UNITS[unit] ?? ''}`;
}

export const exactBytes = (bytes: number): string =>
  `${count.format(bytes)} ${Math.abs(bytes) === 1 ? 'byte' : 'bytes'}`;
