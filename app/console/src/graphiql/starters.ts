/** An operation to begin with. */
export interface Starter {
  readonly title: string;
  readonly about: string;
  readonly query: string;
  readonly variables: string;
}

const none = '';
const json = (value: object): string => JSON.stringify(value, null, 2);

export const WELCOME = `# Ctrl+Enter: run it.
# Ctrl+Space: complete.
# Point at a name to read
# what it means.

query WhoAmI {
  viewer {
    user {
      userName
      roles {
        name
      }
    }
    permissions
  }
}
`;

export const STARTERS: readonly Starter[] = [
  {
    title: 'Who am I',
    about: 'The user of this session, their roles and permissions.',
    query: `query WhoAmI {
  viewer {
    user {
      userName
      roles {
        name
      }
    }
    permissions
  }
}
`,
    variables: none,
  },
  {
    title: 'List users',
    about: 'A page of users. Needs USERS_VIEW for everybody; others see whom they know.',
    query: `query Users($first: Int = 20, $after: String) {
  users(first: $first, after: $after) {
    nodes {
      userName
      email
      roles {
        name
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: json({ first: 20 }),
  },
  {
    title: 'Create a user',
    about: 'Needs the permission USERS_MANAGE.',
    query: `mutation CreateUser($input: CreateUserInput!) {
  createUser(input: $input) {
    user {
      id
      userName
      roles {
        name
      }
    }
    errors {
      code
      message
      path
    }
  }
}
`,
    variables: json({
      input: { userName: 'ann', email: 'ann@example.org', password: 'a long and quiet sentence' },
    }),
  },
  {
    title: 'Resources and what I may do',
    about: 'A page of the resources that you see, with your roles on each.',
    query: `query Resources($first: Int = 20, $after: String) {
  resources(first: $first, after: $after) {
    nodes {
      name
      org {
        slug
      }
      viewerAccess {
        effectiveRoles
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
    totalCount
  }
}
`,
    variables: json({ first: 20 }),
  },
];
