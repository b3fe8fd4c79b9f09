import { PanelFields } from '../access';
import { graphql } from '../api';
import { LockFields } from '../locks';
import { HeadFields } from './fragments';

export const ResourceSettingsQuery = graphql(
  `
    query ResourceSettings($id: ID!) {
      viewer {
        user {
          id
        }
      }
      resource(by: { id: $id }) {
        ...HeadFields
        ...PanelFields
        ...LockFields
        revision
        viewerCan {
          transfer
          delete
        }
      }
    }
  `,
  [HeadFields, PanelFields, LockFields],
);
