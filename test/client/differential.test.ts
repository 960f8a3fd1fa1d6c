import { defineDifferentialTests } from './differential/suite.ts';

defineDifferentialTests({ 'one node': 5, 'two nodes': 3 }, 100);
