import { expect, test } from 'vitest';
import { linesOf } from './csvExport';

const user = {
  id: 'u1',
  userName: 'bob',
  displayName: null,
  email: 'bob@example.com',
  isServiceAccount: false,
  createdAt: '2027-05-03T10:00:00Z',
  lastLoginAt: null,
  metadata: { department: '=1+1', maxStorageMB: 10 },
  roles: [
    { id: 'r1', name: 'user' },
    { id: 'r2', name: 'deactivated' },
  ],
  storage: { usedBytes: 7, quotaBytes: null },
};

test('each attribute is a column', () => {
  const [head, first, second] = linesOf([user, { ...user, userName: '6644', metadata: {}, roles: null }]);

  expect(head?.slice(-3)).toEqual(['quotaBytes', 'department', 'maxStorageMB']);
  expect(first?.slice(0, 5)).toEqual(['bob', 'bob@example.com', '', 'user deactivated', 'deactivated']);
  expect(first?.slice(-4)).toEqual(['7', '', '=1+1', '10'].slice(-4));
  expect(second?.slice(-2)).toEqual(['', '']);
});
