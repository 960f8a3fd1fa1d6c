import { defineDifferentialTests } from '../client/differential/suite.ts';

defineDifferentialTests({ 'one node': 50, 'two nodes': 50 }, 120);
