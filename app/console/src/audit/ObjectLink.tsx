import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { LinkTo } from '../shared';
import type { ChangedObject } from './operations';
import { words } from './words';

/** A changed object, with a link to its page. It may be deleted since, or have another name. */
export function ObjectLink({ object }: { readonly object: ChangedObject }): ReactNode {
  return (
    <Text size="sm" component="div">
      {words.types[object.objectType]} <Link object={object} />
    </Text>
  );
}

function Link({
  object: { objectType, objectId, objectName },
}: {
  readonly object: ChangedObject;
}): ReactNode {
  switch (objectType) {
    case 'USER':
      return (
        <LinkTo size="sm" underline="always" to="/settings/users/$userName" params={{ userName: objectName }}>
          {objectName}
        </LinkTo>
      );
    case 'ORG':
      return (
        <LinkTo size="sm" underline="always" to="/organizations/$slug" params={{ slug: objectName }}>
          {objectName}
        </LinkTo>
      );
    case 'GROUP':
      return (
        <LinkTo size="sm" underline="always" to="/groups/$slug" params={{ slug: objectName }}>
          {objectName}
        </LinkTo>
      );
    case 'RESOURCE':
      return (
        <LinkTo size="sm" underline="always" to="/resources/$id" params={{ id: objectId }}>
          {objectName}
        </LinkTo>
      );
    default:
      return <bdi>{objectName}</bdi>;
  }
}
