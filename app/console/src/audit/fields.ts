import type { ChangedObject } from './operations';
import {
  access,
  anything,
  attributes,
  end,
  label,
  labelList,
  links,
  moment,
  names,
  oneOf,
  quota,
  reason,
  size,
  text,
  transfer,
} from './values';
import type { Words } from './values';
import type { Labels } from './labels';
import { words } from './words';

export type ObjectType = ChangedObject['objectType'];

/** How a field of an object is called, and how its values are said. */
interface Field {
  readonly label: string;
  readonly words: Words;
}

const field = (name: string, say: Words = text): Field => ({ label: name, words: say });

const { fields } = words;
const done = oneOf(words.done);

/** Every field that the audit log compares or notes, by the kind of the object. A test on the server holds the list. */
export const FIELDS: Readonly<Record<ObjectType, Readonly<Record<string, Field>>>> = {
  USER: {
    userName: field(fields.userName),
    displayName: field(fields.displayName),
    email: field(fields.email),
    metadata: field(fields.attributes, attributes),
    roles: field(fields.roles),
    orgs: field(fields.memberOf, links),
    groups: field(fields.groups, links),
    access: field(fields.access, links),
    owns: field(fields.owns, names),
    password: field(fields.password, done),
    token: field(fields.session, done),
    tokens: field(fields.sessions, done),
    lastLoginAt: field(fields.lastSignIn, moment),
    forgotten: field(fields.erased),
    events: field(fields.events),
  },
  ROLE: {
    name: field(fields.name),
    description: field(fields.description),
    permissions: field(fields.permissions, labelList('permissions')),
  },
  ORG: {
    slug: field(fields.slug),
    name: field(fields.name),
    description: field(fields.description),
    isPublic: field(fields.isPublic),
    owner: field(fields.owner),
    quotaBytes: field(fields.quota, quota),
    members: field(fields.members, links),
    resources: field(fields.resources, names),
  },
  GROUP: {
    slug: field(fields.slug),
    displayName: field(fields.displayName),
    description: field(fields.description),
    membersSeenBy: field(fields.membersSeenBy, oneOf(words.seenBy)),
    members: field(fields.members, links),
    access: field(fields.access, links),
  },
  RESOURCE: {
    slug: field(fields.slug),
    type: field(fields.type, label('types')),
    name: field(fields.name),
    description: field(fields.description),
    metadata: field(fields.metadata, attributes),
    owner: field(fields.owner),
    sizeBytes: field(fields.size, size),
    lock: field(fields.lock, reason),
    reason: field(fields.reason),
    access: field(fields.access, access),
    upload: field(fields.upload, transfer),
    download: field(fields.download, transfer),
  },
  RESOURCE_TYPE: { name: field(fields.name, label('types')), hasData: field(fields.withFiles) },
  API_TOKEN: {
    name: field(fields.name),
    prefix: field(fields.prefix),
    user: field(fields.owner),
    permissions: field(fields.permissions, labelList('permissions')),
    isLimited: field(fields.isLimited),
    expiresAt: field(fields.ends, end),
  },
  AUDIT_LOG: {
    before: field(fields.olderThan, moment),
    events: field(fields.removedEvents),
    firstEvent: field(fields.firstEvent),
    lastEvent: field(fields.lastEvent),
    hash: field(fields.hash),
  },
};

/** Return the name of a field in words. One without words of its own has those of its name. */
export function fieldWords(type: ObjectType, name: string): string {
  const plain = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return FIELDS[type][name]?.label ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** Return a value of a field in lines, such as "field-crews · until 15 May 2026"; no line for none. */
export const valueWords = (
  type: ObjectType,
  name: string,
  value: unknown,
  labels: Labels,
): readonly string[] => (FIELDS[type][name]?.words ?? anything)(value, labels);
