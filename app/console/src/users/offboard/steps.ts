import type { Leaver } from './operations';
import { words } from './words';

export type StepKind = 'deactivate' | 'org' | 'resource' | 'membership' | 'group' | 'token';

/** One change of an off-boarding. */
export interface Step {
  readonly kind: StepKind;
  /** The object that it changes. */
  readonly id: string;
  readonly name: string;
}

export interface Wishes {
  /** A user name; empty for none. */
  readonly successor: string;
  readonly removesMemberships: boolean;
  readonly revokesTokens: boolean;
}

/** Return the changes in their order: first the account, so that nothing new is begun with it. */
export function stepsOf(
  user: Leaver,
  { successor, removesMemberships, revokesTokens }: Wishes,
): readonly Step[] {
  const steps: Step[] = [];
  if (user.viewerCan.deactivate) {
    steps.push({ kind: 'deactivate', id: user.id, name: words.step.deactivate(user.userName) });
  }
  if (successor !== '') {
    for (const { id, name } of user.ownedOrgs?.nodes ?? []) {
      steps.push({ kind: 'org', id, name: words.step.org(name, successor) });
    }
    for (const { id, name } of user.ownedResources?.nodes ?? []) {
      steps.push({ kind: 'resource', id, name: words.step.resource(name, successor) });
    }
  }
  if (removesMemberships) {
    for (const { node } of user.orgs?.edges ?? []) {
      steps.push({ kind: 'membership', id: node.id, name: words.step.membership(node.name) });
    }
    for (const { node } of user.groups?.edges ?? []) {
      steps.push({ kind: 'group', id: node.id, name: words.step.group(node.displayName) });
    }
  }
  if (revokesTokens) {
    for (const { id, name } of user.apiTokens?.nodes ?? []) {
      steps.push({ kind: 'token', id, name: words.step.token(name) });
    }
  }
  return steps;
}
