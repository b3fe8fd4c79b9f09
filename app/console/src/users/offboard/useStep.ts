import { useClient } from 'urql';
import { outcomeOf } from '../../api';
import type { Outcome } from '../../api';
import { DeactivateUserMutation } from '../changes';
import {
  DropTokenMutation,
  LeaveGroupMutation,
  LeaveOrgMutation,
  TakeOverOrgMutation,
  TakeOverResourceMutation,
} from './changes';
import type { Step } from './steps';

type Client = ReturnType<typeof useClient>;

/** Types that an answer does not name although the change touches them. */
const TOUCHES = { additionalTypenames: ['User', 'Org', 'Group', 'ApiToken', 'Resource'] };

async function handOver(client: Client, { kind, id }: Step, successor: string): Promise<Outcome<unknown>> {
  const owner = { userName: successor };
  if (kind === 'org') {
    const input = { org: { id }, owner };
    const result = await client.mutation(TakeOverOrgMutation, { input }, TOUCHES).toPromise();
    return outcomeOf(result, (data) => data.transferOrg);
  }
  const input = { resource: { id }, owner };
  const result = await client.mutation(TakeOverResourceMutation, { input }, TOUCHES).toPromise();
  return outcomeOf(result, (data) => data.transferResource);
}

async function leave(client: Client, { kind, id }: Step, userId: string): Promise<Outcome<unknown>> {
  const user = { id: userId };
  if (kind === 'membership') {
    const input = { org: { id }, user };
    const result = await client.mutation(LeaveOrgMutation, { input }, TOUCHES).toPromise();
    return outcomeOf(result, (data) => data.removeOrgMember);
  }
  const input = { group: { id }, members: [user] };
  const result = await client.mutation(LeaveGroupMutation, { input }, TOUCHES).toPromise();
  return outcomeOf(result, (data) => data.removeGroupMembers);
}

/** Return the function that does one step of an off-boarding. */
export function useStep(userId: string, successor: string): (step: Step) => Promise<Outcome<unknown>> {
  const client = useClient();
  return async (step) => {
    switch (step.kind) {
      case 'deactivate': {
        const input = { user: { id: userId } };
        const result = await client.mutation(DeactivateUserMutation, { input }, TOUCHES).toPromise();
        return outcomeOf(result, (data) => data.deactivateUser);
      }
      case 'org':
      case 'resource':
        return handOver(client, step, successor);
      case 'membership':
      case 'group':
        return leave(client, step, userId);
      case 'token': {
        const input = { apiToken: step.id };
        const result = await client.mutation(DropTokenMutation, { input }, TOUCHES).toPromise();
        return outcomeOf(result, (data) => data.revokeApiToken);
      }
    }
  };
}
