import { Button, Code, List, Paper, Stack, Text, Title } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { labelsOf, sourceText } from '../access';
import { useLoad } from '../api';
import type { ResultOf } from '../api';
import { Bytes, Loaded, Missing, Page, Time } from '../shared';
import { EditResource } from './EditResource';
import { ResourcePageQuery } from './operations';
import type { ResourceData } from './operations';
import classes from './Resource.module.css';
import { ResourceFrame } from './ResourceFrame';
import { words } from './words';

/** A resource: what it is, and what the viewer may do with it. */
export function ResourcePage(): ReactNode {
  const { id } = useParams({ from: '/resources/$id' });
  const load = useLoad(ResourcePageQuery, { id });
  const [isEditing, setIsEditing] = useState(false);
  return (
    <Loaded load={load}>
      {({ resource, orgLevels }) =>
        resource === null ? (
          <Page title={words.one}>
            <Missing text={words.missing} />
          </Page>
        ) : (
          <ResourceFrame
            resource={resource}
            actions={
              resource.viewerCan.updateMetadata ? (
                <Button
                  variant="default"
                  leftSection={<IconPencil size={16} aria-hidden />}
                  onClick={() => setIsEditing(true)}
                >
                  {words.edit}
                </Button>
              ) : null
            }
          >
            <Description resource={resource} />
            <Details resource={resource} />
            <MyAccess resource={resource} orgLevels={orgLevels} />
            {isEditing ? (
              <EditResource key={resource.id} resource={resource} onClose={() => setIsEditing(false)} />
            ) : null}
          </ResourceFrame>
        )
      }
    </Loaded>
  );
}

interface PartProps {
  readonly resource: ResourceData;
}

interface SectionProps {
  readonly title: string;
  readonly children: ReactNode;
}

function Section({ title, children }: SectionProps): ReactNode {
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Stack gap="xs">
        <Title order={2} size="h4">
          {title}
        </Title>
        {children}
      </Stack>
    </Paper>
  );
}

function Description({ resource: { description, metadata } }: PartProps): ReactNode {
  const text = JSON.stringify(metadata, null, 2);
  return (
    <>
      <Section title={words.description}>
        <Text style={{ whiteSpace: 'pre-wrap' }}>{description || words.noDescription}</Text>
      </Section>
      <Section title={words.metadata}>
        {text === '{}' ? (
          <Text>{words.noMetadata}</Text>
        ) : (
          <Code block className={classes['metadata'] ?? ''}>
            {text}
          </Code>
        )}
      </Section>
    </>
  );
}

function Details({ resource }: PartProps): ReactNode {
  const { owner, sizeBytes, createdAt, updatedAt, type } = resource;
  return (
    <Section title={words.details}>
      <List listStyleType="none" spacing={4}>
        <List.Item>
          {words.owner}: {owner === null ? words.noOwner : (owner.displayName ?? owner.userName)}
        </List.Item>
        {type.hasData ? (
          <List.Item>
            {words.size}: <Bytes value={sizeBytes} />
          </List.Item>
        ) : null}
        <List.Item>
          {words.createdAt}: <Time value={createdAt} />
        </List.Item>
        <List.Item>
          {words.changed}: <Time value={updatedAt} />
        </List.Item>
      </List>
    </Section>
  );
}

type MyAccessProps = PartProps & Pick<ResultOf<typeof ResourcePageQuery>, 'orgLevels'>;

/** The roles of the viewer, and each way to them. */
function MyAccess({ resource: { viewerAccess, type, org }, orgLevels }: MyAccessProps): ReactNode {
  const { effectiveRoles, sources } = viewerAccess;
  if (effectiveRoles.length === 0) {
    return (
      <Section title={words.mayTitle}>
        <Text>{words.mayNothing}</Text>
      </Section>
    );
  }
  const context = { orgLevels, isOrgOwner: org?.viewerIsOwner ?? null };
  const own = type.roles.filter(({ role }) => effectiveRoles.includes(role));
  return (
    <Section title={words.mayTitle}>
      <List spacing={4} aria-label={words.may}>
        {own.map(({ role, label, description }) => (
          <List.Item key={role}>
            <Text span fw={500}>
              {label}
            </Text>
            {': '}
            {description}
          </List.Item>
        ))}
      </List>
      <Text fw={500}>{words.because}</Text>
      <List spacing={4} aria-label={words.because}>
        {sources.map((source, index) => (
          <List.Item key={index}>
            {labelsOf(source.grantedRoles, type.roles).join(', ')} {sourceText(source, context)}
          </List.Item>
        ))}
      </List>
    </Section>
  );
}
