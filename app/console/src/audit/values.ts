import { attributeTexts, dayOf, exactBytes, exactTime, plainText, shortBytes } from '../shared';
import { labelOf } from './labels';
import type { Labels } from './labels';
import { words } from './words';

type Fields = Readonly<Record<string, unknown>>;

/** Says a value in lines; no line is none. */
export type Words = (value: unknown, labels: Labels) => readonly string[];

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): boolean =>
  value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
const ENUM_NAME = /^[A-Z]+(_[A-Z]+)+$/;

/** A value of a field that has no words of its own. */
export const anything: Words = (value) => {
  if (isEmpty(value)) {
    return [];
  }
  if (typeof value === 'string') {
    return [MOMENT.test(value) ? exactTime(value) : ENUM_NAME.test(value) ? labelOf(value) : value];
  }
  return isFields(value) ? attributeTexts(value) : [plainText(value)];
};

export const text: Words = (value) => (isEmpty(value) ? [] : [plainText(value)]);

export const attributes: Words = (value) => attributeTexts(value);

export const moment: Words = (value) => (typeof value === 'string' ? [exactTime(value)] : []);

export const end: Words = (value) => (value === null ? [words.noEnd] : moment(value, NO_LABELS));

export const size: Words = (value) =>
  typeof value === 'number' ? [value < 1024 ? exactBytes(value) : shortBytes(value)] : [];

export const quota: Words = (value, labels) => (value === null ? [words.noLimit] : size(value, labels));

/** A name of an enum, with the label of the API. */
export const label =
  (kind: keyof Labels): Words =>
  (value, labels) =>
    typeof value === 'string' ? [labelOf(value, labels[kind])] : [];

/** Several names of an enum. */
export const labelList =
  (kind: keyof Labels): Words =>
  (value, labels) => {
    const names = texts(value).map((name) => labelOf(name, labels[kind]));
    return names.length === 0 ? [] : [names.join(', ')];
  };

/** One of a few values that have texts of their own. */
export const oneOf =
  (texts: Readonly<Record<string, string>>): Words =>
  (value) =>
    typeof value === 'string' ? [texts[value.toLowerCase()] ?? labelOf(value)] : text(value, NO_LABELS);

export const reason: Words = (value) => (isFields(value) ? text(value['reason'], NO_LABELS) : []);

/** The names of objects that belong to this one; their ids are not for people. */
export const names: Words = (value) => (isFields(value) ? Object.keys(value) : []);

/** An upload or a download: its size, its state and its end. */
export const transfer: Words = (value, labels) => {
  const { bytes, replacedBytes, state, expiresAt } = isFields(value) ? value : {};
  return [
    ...size(bytes, labels),
    ...(replacedBytes === 0 ? [] : size(replacedBytes, labels)).map((replaced) => words.replaces(replaced)),
    ...(typeof state === 'string' ? [labelOf(state)] : []),
    ...(typeof expiresAt === 'string' ? [words.until(dayOf(expiresAt))] : []),
  ];
};

const GROUP = 'group:';
const USER = 'user:';

/** Return the name of a subject of access: `general`, `anyone`, `group:SLUG` or `user:NAME`. */
function subjectName(key: string): string {
  if (key === 'general' || key === 'anyone') {
    return words.subjects[key];
  }
  if (key.startsWith(GROUP)) {
    return words.group(key.slice(GROUP.length));
  }
  return key.startsWith(USER) ? key.slice(USER.length) : key;
}

/** Say one link to another object: its name, level, roles and end. */
function linkLine(name: string, value: unknown, labels: Labels): string {
  const { roles, level, isManager, expiresAt } = isFields(value) ? value : {};
  const granted = labelList('roles')(roles, labels);
  return [
    name,
    ...(typeof level === 'string' ? [labelOf(level, labels.levels)] : []),
    ...(isManager === true ? [words.manager] : []),
    ...(roles !== undefined && granted.length === 0 ? [words.noRole] : granted),
    ...(typeof expiresAt === 'string' ? [words.until(dayOf(expiresAt))] : []),
  ].join(' · ');
}

/** Memberships, or access as a group or user has it. */
export const links: Words = (value, labels) =>
  isFields(value) ? Object.entries(value).map(([name, entry]) => linkLine(name, entry, labels)) : [];

/** The access of a resource. */
export const access: Words = (value, labels) =>
  isFields(value)
    ? Object.entries(value).map(([key, entry]) => linkLine(subjectName(key), entry, labels))
    : [];

const NO_LABELS: Labels = { roles: new Map(), permissions: new Map(), levels: new Map(), types: new Map() };
