import { shortBytes } from './bytes';
import { phrase } from './phrase';
import { words } from './words';

const BYTES_OF_MB = 1024 * 1024;

/** The attribute of a user that limits their storage, in units of 1,048,576 bytes. */
const STORAGE_LIMIT = 'maxStorageMB';

/** Return a value of any kind in words. Objects within objects stay JSON: they are the user's own. */
export function plainText(value: unknown): string {
  if (value === null || value === undefined || value === '') {
    return words.none;
  }
  if (typeof value === 'boolean') {
    return value ? words.yes : words.no;
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? words.none : value.map(plainText).join(', ');
  }
  if (typeof value === 'object') {
    return Object.keys(value).length === 0 ? words.none : JSON.stringify(value);
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Return an attribute in words: "Storage limit: 20 GiB", otherwise its key and its value. */
export function attributeText(key: string, value: unknown): string {
  return key === STORAGE_LIMIT && typeof value === 'number'
    ? phrase`${words.storageLimit}: ${shortBytes(value * BYTES_OF_MB)}`
    : phrase`${key}: ${plainText(value)}`;
}

/** Return all attributes of a JSON object in words. */
export const attributeTexts = (metadata: unknown): readonly string[] =>
  typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
    ? Object.entries(metadata).map(([key, value]) => attributeText(key, value))
    : [];
