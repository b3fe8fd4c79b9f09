import { Divider, Paper, Stack, Text, Title } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { useViewer } from '../api';
import { LinkTo, Unsaved } from '../shared';
import { AddGroups } from './AddGroups';
import { AddPerson } from './AddPerson';
import { EntrySection } from './EntrySection';
import type { Configuration, PanelResource } from './fragments';
import { PanelBanner } from './PanelBanner';
import { groupKey, userKey } from './subjects';
import { usePanel } from './usePanel';
import { usePanelView } from './usePanelView';
import { WildcardSection } from './WildcardSection';
import { words } from './words';

interface AccessPanelProps {
  readonly resource: PanelResource;
  readonly configuration: Configuration;
  readonly title: string;
}

/** Give the focus to the first row with an error. */
function useErrorFocus(errors: ReadonlyMap<string, string>): React.RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (errors.size > 0) {
      place.current?.querySelector<HTMLElement>('[data-row-error]')?.focus();
    }
  }, [errors]);
  return place;
}

/** Who has which roles on a resource: general access, anyone, groups and people, as a draft until it is submitted. */
export function AccessPanel({ resource, configuration, title }: AccessPanelProps): ReactNode {
  const panel = usePanel(resource.id, configuration);
  const view = usePanelView(panel, resource);
  const { state, edits, dispatch } = panel;
  const place = useErrorFocus(view.errors);
  const isDirty = edits.length > 0;
  const isDisabled =
    !resource.viewerCan.changeAccess || state.step.kind === 'submitting' || state.step.kind === 'unknown';
  const common = { panel, roles: resource.type.roles, isDisabled } as const;
  return (
    <>
      {isDirty ? <PanelBanner panel={panel} view={view} /> : null}
      <Unsaved isDirty={isDirty} />
      <Paper withBorder p="md" component="section" aria-label={title} ref={place}>
        <Stack gap="lg">
          <Title order={2} size="h3">
            {title}
          </Title>
          {resource.viewerCan.changeAccess ? null : <Text>{words.readOnly}</Text>}
          {state.notice === 'same' ? <Text role="status">{words.conflictSame}</Text> : null}
          <Owner owner={resource.owner} />
          <WildcardSection {...common} kind="general" error={view.errors.get('general')} />
          <Divider />
          <WildcardSection {...common} kind="anyone" error={view.errors.get('anyone')} />
          <Divider />
          <EntrySection
            {...common}
            kind="group"
            title={words.groups}
            about={words.groupsAbout}
            none={words.noGroups}
            errors={view.errors}
            add={
              <AddGroups
                isDisabled={isDisabled}
                isThere={(id) => state.draft.has(groupKey(id))}
                onAdd={(subjects) => dispatch({ kind: 'add', subjects })}
              />
            }
          />
          <Divider />
          <EntrySection
            {...common}
            kind="user"
            title={words.people}
            about={words.peopleAbout}
            none={words.noPeople}
            errors={view.errors}
            add={
              <AddPerson
                isDisabled={isDisabled}
                isThere={(userName) => state.draft.has(userKey(userName))}
                onAdd={(userName) =>
                  dispatch({ kind: 'add', subjects: [{ kind: 'user', id: null, userName, name: null }] })
                }
              />
            }
          />
          <Text size="sm">
            {words.otherAccess(resource.org?.name ?? null)}{' '}
            <LinkTo to="/resources/$id/people" params={{ id: resource.id }} underline="always">
              {words.otherAccessLink}
            </LinkTo>
          </Text>
        </Stack>
      </Paper>
    </>
  );
}

function Owner({ owner }: Pick<PanelResource, 'owner'>): ReactNode {
  const userId = useViewer()?.user?.id ?? null;
  const name = owner === null ? words.noOwner : (owner.displayName ?? owner.userName);
  return (
    <Text>
      <Text span fw={500}>
        {words.owner}:
      </Text>{' '}
      {name} {owner !== null && owner.id === userId ? words.you : null}
    </Text>
  );
}
