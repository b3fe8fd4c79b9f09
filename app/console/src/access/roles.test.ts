import { expect, it } from 'vitest';
import type { RoleInfo } from './fragments';
import { bringersOf, labelsOf, withImplied } from './roles';

const role = (name: RoleInfo['role'], label: string, ...impliedRoles: RoleInfo['role'][]): RoleInfo => ({
  role: name,
  label,
  impliedRoles,
  description: '',
  grantableToAnyone: false,
  isDefault: false,
});
const ROLES: readonly RoleInfo[] = [
  role('METADATA_READ', 'Metadata Read'),
  role('METADATA_WRITE', 'Metadata Write', 'METADATA_READ'),
  role('DATASET_DATA_READ', 'Dataset Data Read', 'METADATA_READ'),
  role('DATASET_DATA_WRITE', 'Dataset Data Write', 'METADATA_READ', 'DATASET_DATA_READ'),
];

it('says which granted roles bring another along', () => {
  const granted = new Set(['DATASET_DATA_READ', 'DATASET_DATA_WRITE'] as const);
  const labels = (name: RoleInfo['role']) => bringersOf(name, granted, ROLES).map(({ label }) => label);
  expect(labels('METADATA_READ')).toEqual(['Dataset Data Read', 'Dataset Data Write']);
  expect(labels('DATASET_DATA_READ')).toEqual(['Dataset Data Write']);
  expect(labels('METADATA_WRITE')).toEqual([]);
});

it('adds implied roles', () => {
  expect(withImplied(new Set(['DATASET_DATA_WRITE'] as const), ROLES)).toEqual([
    'METADATA_READ',
    'DATASET_DATA_READ',
    'DATASET_DATA_WRITE',
  ]);
});

it('has labels in the order of the type', () => {
  expect(labelsOf(['DATASET_DATA_READ', 'METADATA_READ'], ROLES)).toEqual([
    'Metadata Read',
    'Dataset Data Read',
  ]);
  expect(labelsOf(['ADMIN'], ROLES)).toEqual(['ADMIN']);
});
