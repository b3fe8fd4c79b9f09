import { dayOf, isSameMoment } from '../shared';
import { historyWords as words } from './historyWords';
import { listed } from './words';

/** Words for what the audit log has: roles of the type by their names, and groups by their slugs. */
export interface Names {
  readonly roles: ReadonlyMap<string, string>;
  readonly groups: ReadonlyMap<string, string>;
}

type Fields = Readonly<Record<string, unknown>>;

interface Grant {
  readonly roles: readonly string[];
  readonly expiresAt: string | null;
}

/** A change of a resource as the audit log has it. */
export interface ResourceEvent {
  readonly action: string;
  readonly actor: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Fields that have sentences of their own, or whose act says all. */
const EXPLAINED = new Set(['access', 'lock', 'reason', 'upload', 'download', 'truncated']);

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

function grantOf(value: unknown): Grant | null {
  if (!isFields(value)) {
    return null;
  }
  const { roles, expiresAt } = value;
  return {
    roles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [],
    expiresAt: typeof expiresAt === 'string' ? expiresAt : null,
  };
}

/** Return the words for a subject of the log: `general`, `anyone`, `group:SLUG` or `user:NAME`. */
function subjectOf(key: string, { groups }: Names): string {
  const [kind = '', ...rest] = key.split(':');
  if (kind === 'general' || kind === 'anyone') {
    return words.subjects[kind];
  }
  const name = rest.join(':');
  return kind === 'group' ? (groups.get(name) ?? words.group(name)) : name || key;
}

function grantSentences(who: string, key: string, before: Grant | null, after: Grant | null, names: Names) {
  const name = subjectOf(key, names);
  const labels = (roles: readonly string[]): string =>
    listed(roles.map((role) => names.roles.get(role) ?? role));
  const [old, now] = [before?.roles ?? [], after?.roles ?? []];
  const gained = now.filter((role) => !old.includes(role));
  const lost = old.filter((role) => !now.includes(role));
  const end = after?.expiresAt ?? null;
  const until = end === null ? '' : ` ${words.until(dayOf(end))}`;
  const sentences = [
    ...(gained.length > 0 ? [words.gave(who, name, labels(gained) + until)] : []),
    ...(lost.length > 0 ? [words.took(who, name, labels(lost))] : []),
  ];
  if (sentences.length > 0) {
    return sentences;
  }
  if (before === null || after === null) {
    return [before === null ? words.added(who, name) : words.removed(who, name)];
  }
  return isSameMoment(before.expiresAt, end)
    ? []
    : [end === null ? words.noEnd(who, name) : words.newEnd(who, name, dayOf(end))];
}

function accessSentences(who: string, before: Fields, after: Fields, names: Names): readonly string[] {
  const [old, now] = [fieldsOf(before['access']), fieldsOf(after['access'])];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key) =>
    grantSentences(who, key, grantOf(old[key]), grantOf(now[key]), names),
  );
}

function lockSentences(who: string, before: Fields, after: Fields): readonly string[] {
  if (!('lock' in after)) {
    return [];
  }
  const lock = fieldsOf(after['lock']);
  if (typeof lock['reason'] === 'string') {
    return [words.locked(who, lock['reason'])];
  }
  const isUnlocked = isFields(before['lock']);
  return isUnlocked ? [words.unlocked(who, typeof after['reason'] === 'string' ? after['reason'] : '')] : [];
}

/** Say in sentences what an event changed. */
export function eventSentences(event: ResourceEvent, names: Names): readonly string[] {
  const { actor: who, before, after, action } = event;
  if (before === null && isFields(after)) {
    return [words.created(who)];
  }
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  const described = [...accessSentences(who, old, now, names), ...lockSentences(who, old, now)];
  const rest = Object.keys(now).filter((name) => !EXPLAINED.has(name));
  const fields = rest.map((name) => words.fields[name] ?? name);
  const sentences = rest.length > 0 ? [...described, words.changed(who, listed(fields))] : described;
  return sentences.length > 0 ? sentences : [words.other(who, action)];
}
