import { useNavigate } from '@tanstack/react-router';

/**
 * Return the function that goes to another page after a change is done. It does not ask: what was typed is stored, or
 * its object is gone.
 */
export function useLeave(): ReturnType<typeof useNavigate> {
  const navigate = useNavigate();
  return (options) => navigate({ ...options, ignoreBlocker: true });
}
